from app.views import training

training.render()
