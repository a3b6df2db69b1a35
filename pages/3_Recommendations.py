from app.views import recommendations

recommendations.render()
