"""Load shedding: how many requests a process works on, which ones wait, and which ones are refused."""
