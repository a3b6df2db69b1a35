"""The page training."""

import streamlit as st


def render() -> None:
    st.title("training")
