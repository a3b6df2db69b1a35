from app.training.view import render

render()
