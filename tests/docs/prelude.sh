# Before every block for a shell. What is not in the registry yet is taken from the project, at $TOWLINE.
npm() {
  if [ "${1-}" = install ]; then
    mkdir -p node_modules/.bin
    ln -sfn "$TOWLINE" node_modules/towline
    ln -sf ../towline/js/cli/towline.js node_modules/.bin/towline
  else
    command npm "$@"
  fi
}

# The project's own. What would take long, or start all this again, is only looked for.
make() {
  case ${1-} in
    install) command make -s -C "$TOWLINE" "$@" ;;
    *) command make -n -C "$TOWLINE" "$@" >/dev/null ;;
  esac
}
HOME=$PWD
export npm_config_update_notifier=false
