from app.views import embeddings

embeddings.render()
