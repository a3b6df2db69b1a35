"""The page smoothness."""

import streamlit as st


def render() -> None:
    st.title("smoothness")
