from app.smoothness.view import render

render()
