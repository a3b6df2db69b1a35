from app.views import smoothness

smoothness.render()
