"""`serve`: Redis, workers and the web server as one tree of processes, started and ended as one."""
