# ---- The libraries, and what `make install` makes of them ----
CORE := $(sort $(wildcard src/*.c))
HOSTS := $(sort $(wildcard src/host/*.c))
PUBLIC := $(sort $(wildcard include/towline/*.h))
HEADERS := $(PUBLIC) $(wildcard src/*.h src/host/*.h)

UV_CFLAGS = $(shell pkg-config --cflags libuv 2>/dev/null)
UV_LIBS = $(shell pkg-config --libs libuv 2>/dev/null || echo -luv)

# The one place of the version is the header; package.json has to repeat it.
VERSION := $(shell awk '/define TOW_VERSION_[MP]/ { printf dot $$3; dot = "." }' include/towline/towline.h)
SHARED := libtowline.so.$(VERSION)
SONAME := libtowline.so.$(firstword $(subst ., ,$(VERSION)))

# Warnings are errors in `make lint`, with both compilers; not for whoever installs this with one that came later.
LIBRARY = $(filter-out -Werror,$(NATIVE)) $(UV_CFLAGS)

$(B)/src/%.o: src/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(LIBRARY) -c $< -o $@

# One library; a program that uses none of libuv's needs no libuv.
$(B)/libtowline.a: $(patsubst %.c,$(B)/%.o,$(CORE) $(HOSTS))
	@rm -f $@
	ar rcs $@ $^

# The shared one shows what the public headers declare, which say so themselves.
$(B)/pic/%.o: %.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(LIBRARY) -fPIC -fvisibility=hidden -c $< -o $@

$(B)/$(SHARED): $(patsubst %.c,$(B)/pic/%.o,$(CORE) $(HOSTS))
	$(CC) $(CFLAGS) -shared -Wl,-soname,$(SONAME) $(LDFLAGS) $^ $(UV_LIBS) -lm -o $@

.PHONY: libraries
libraries: $(B)/libtowline.a $(B)/$(SHARED)

# ---- Installing: PREFIX=/usr LIBDIR=/usr/lib64 DESTDIR=/stage ----
PREFIX ?= /usr/local
INCLUDEDIR ?= $(PREFIX)/include
LIBDIR ?= $(PREFIX)/lib

PACKAGES := $(addprefix $(LIBDIR)/,pkgconfig/towline.pc $(addprefix cmake/Towline/TowlineConfig,.cmake Version.cmake))
INSTALLED := $(PUBLIC:include/%=$(INCLUDEDIR)/%) $(PACKAGES) \
  $(addprefix $(LIBDIR)/,libtowline.a $(SHARED) $(SONAME) libtowline.so)
# From LIBDIR to the headers: the CMake package may be moved with all that is under PREFIX.
UP := $(subst $() ,/,$(patsubst %,..,$(subst /, ,$(LIBDIR:$(PREFIX)/%=%))))
INCLUDE_FROM_LIBDIR := $(if $(filter $(PREFIX)/%,$(LIBDIR)),$(INCLUDEDIR:$(PREFIX)/%=$(UP)/%),$(INCLUDEDIR))
FILLED_IN = sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@SONAME@|$(SONAME)|' \
  -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|; s|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' \
  -e 's|@INCLUDE_FROM_LIBDIR@|$(INCLUDE_FROM_LIBDIR)|'

.PHONY: install uninstall
install: libraries
	$(foreach directory,$(PREFIX) $(INCLUDEDIR) $(LIBDIR),$(if $(filter /%,$(directory)),,$(error not an absolute path: \
	  $(directory))))
	install -d $(addprefix $(DESTDIR),$(INCLUDEDIR)/towline $(LIBDIR)/pkgconfig $(LIBDIR)/cmake/Towline)
	install -m 644 $(PUBLIC) $(DESTDIR)$(INCLUDEDIR)/towline
	install -m 644 $(B)/libtowline.a $(B)/$(SHARED) $(DESTDIR)$(LIBDIR)
	ln -sf $(SHARED) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libtowline.so
	set -e; for file in $(PACKAGES:%=$(DESTDIR)%); do \
	  $(FILLED_IN) src/install/$${file##*/}.in >$$file; chmod 644 $$file; done

uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	@rmdir $(addprefix $(DESTDIR),$(INCLUDEDIR)/towline $(LIBDIR)/cmake/Towline) 2>/dev/null || true
