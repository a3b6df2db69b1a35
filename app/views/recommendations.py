"""The page recommendations."""

import streamlit as st


def render() -> None:
    st.title("recommendations")
