"""The start page's parts: its HTML, style and script, each as the browser gets it."""
