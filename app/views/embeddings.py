"""The page embeddings."""

import streamlit as st


def render() -> None:
    st.title("embeddings")
