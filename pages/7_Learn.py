from app.learn.view import render

render()
