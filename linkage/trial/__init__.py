"""An analyst's trial of the engine on any files: read, understand the columns, link or dedupe, and say how it went.

Nothing here knows a council, a warehouse or a truth; `onestory link` and `onestory dedupe` are its front door.
"""
