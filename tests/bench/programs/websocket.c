/* An echo over a WebSocket with Emscripten's websocket.h. */
#include <emscripten/websocket.h>

static EM_BOOL on_message(int type, const EmscriptenWebSocketMessageEvent *event, void *context) {
  (void)type;
  (void)context;
  return emscripten_websocket_send_binary(event->socket, event->data, event->numBytes) == 0;
}

int main(void) {
  EmscriptenWebSocketCreateAttributes attributes = {"ws://127.0.0.1:7008/", 0, EM_TRUE};
  EMSCRIPTEN_WEBSOCKET_T socket = emscripten_websocket_new(&attributes);
  return emscripten_websocket_set_onmessage_callback(socket, 0, on_message);
}
