"""The process and the machine it runs on. Knows no ROS.

preflight.py  what must be there before anything starts
streams.py    output whose reader may go
garbage.py    garbage collection between two callbacks
background.py  work that runs only while nothing else wants to
realtime.py   real-time scheduling and locked memory, where parameters ask for them
"""
