from app.views import data

data.render()
