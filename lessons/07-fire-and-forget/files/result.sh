# Asks for a result: with the last ticket, or with the one you name.
id=${1:-$(sed -n 's/.*"task_id":"\([^"]*\)".*/\1/p' ticket.json)}
curl -s -w "\nHTTP %{http_code}\n" "127.0.0.1:${PORT:-8000}/result/$id"
