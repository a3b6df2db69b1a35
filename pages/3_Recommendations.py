from app.recommendations.view import render

render()
