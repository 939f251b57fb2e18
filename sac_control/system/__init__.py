"""The process and the machine it runs on. Imports no ROS.

preflight.py  what must be there before anything starts
streams.py    output whose reader may go
garbage.py    garbage collection between two callbacks
background.py  work that runs only while nothing else wants to
offspring.py   processes in a session of their own
reach.py      who can reach the nodes, and by which transports of the middleware
realtime.py   real-time scheduling and locked memory, where parameters ask for them
"""
