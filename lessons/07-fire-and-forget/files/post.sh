# Sends a file of texts to be scored (batch.json, or the one you name) and keeps the ticket.
curl -s -d "@${1:-batch.json}" -w "\nHTTP %{http_code} after %{time_total} s\n" \
  "127.0.0.1:${PORT:-8000}/score-batch" | tee ticket.json
