from app.explain.view import render

render()
