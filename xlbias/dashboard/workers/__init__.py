"""Threads and processes that read and compute beside the screens; nothing here touches a widget."""
