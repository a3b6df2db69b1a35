"""The page data."""

import streamlit as st


def render() -> None:
    st.title("data")
