# Asks for scores the tempting way: one call, no ticket. Gives up after three seconds.
curl -s -S -m 3 -d @batch.json -w "\nHTTP %{http_code} after %{time_total} s\n" "127.0.0.1:${PORT:-8000}/score-now"
