from app.data.view import render

render()
