# Four people ask at the same moment. Each line says how long one of them waited.
for person in 1 2 3 4; do
  curl -s -d "text=I love it" -w "  after %{time_total} s\n" "127.0.0.1:${PORT:-8000}/score" &
done
wait
