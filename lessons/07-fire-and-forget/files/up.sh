# Waits until the API answers, for half a minute at most.
curl -s -o /dev/null --retry 30 --retry-delay 1 --retry-connrefused "127.0.0.1:${PORT:-8000}/"
