from app.depth.view import render

render()
