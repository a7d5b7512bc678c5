if command -v getent >/dev/null; then
  output 'getent passwd' 262144 getent passwd
  output 'getent group' 262144 getent group
else
  file /etc/passwd 262144
  file /etc/group 262144
fi
