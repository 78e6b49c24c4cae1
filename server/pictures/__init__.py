"""Pictures for the assistant to look at: thumbnails, contact sheets, charts.

The libraries that draw them are optional and large: each module imports its own inside its
functions, on first use.
"""
