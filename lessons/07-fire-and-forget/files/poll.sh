# A patient client: asks with the last ticket, and as long as the answer is 202, comes back a second later.
id=$(sed -n 's/.*"task_id":"\([^"]*\)".*/\1/p' ticket.json)
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  status=$(curl -s -o answer.json -w "%{http_code}" "127.0.0.1:${PORT:-8000}/result/$id")
  [ "$status" = 202 ] || break
  echo "not yet (HTTP 202), asking again in a second"
  sleep 1
done
cat answer.json
printf "\nHTTP %s\n" "$status"
