"""The waiting rooms in Redis: one queue for each event, every action one atomic script.

WaitingRoomStore is the interface; keys.py builds every key; outcomes.py has the typed answers.
"""
