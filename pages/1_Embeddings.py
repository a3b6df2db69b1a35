from app.embeddings.view import render

render()
