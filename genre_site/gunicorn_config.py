"""gunicorn: the model is loaded once, before the workers fork, and they share its memory."""

preload_app = True
worker_class = "sync"
timeout = 60
graceful_timeout = 30
max_requests = 10_000
max_requests_jitter = 1_000
accesslog = None
# Nobody steers it from outside, and two servers of one user would share the socket.
control_socket_disable = True
# Request heads only; the size of bodies is Django's to refuse.
limit_request_line = 8190
