for f in /proc/net/tcp /proc/net/tcp6; do
  if [ -r "$f" ]; then output "$f" 200000 grep ' 0A ' "$f"; else nm "$f"; rec "Y$T$r${T}absent"; fi
done
