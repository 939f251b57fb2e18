"""A live view in the browser: the machine, what it does, and how it learns. Reads; commands and writes nothing.

view.py       a run by its files, its nodes by their topics; the loop
subject.py    what is watched
run_files.py  a run that is being written or has ended, as it grows
recording.py  its recorded transitions as motion
motion.py     the newest stretch of motion, shown as fast as it was
heard.py      what the nodes said last
feed.py       what nodes say, from a process that looks at topics (nodes/watcher.py)
page.py       machine, plots and words on the page
solids.py     shapes as meshes
words.py      numbers as tables
server.py     the server, for this machine alone
port.py       its address
"""
