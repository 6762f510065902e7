# Real packets: the program that is hosts, servers and clients, the demo, the figures.

TRAFFIC := $(O)/tests/traffic

$(TRAFFIC): $(O)/tests/net/traffic.o
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

API := $(O)/tests/api

$(API): $(O)/tests/net/api.o $(O)/tests/lib.a
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(O)/tests/lib.a $(NFT_LIBS) $(JSON_LIBS) -ldl

FILL := $(O)/tests/fill

$(FILL): $(O)/tests/net/fill.o
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

DROP := $(O)/tests/drop

$(DROP): $(O)/tests/net/drop.o
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

test-programs: $(TRAFFIC) $(API) $(FILL) $(DROP)

demo: all $(TRAFFIC)
	@O='$(abspath $(O))' tests/demo.sh

BENCH := $(patsubst bench/%.c,$(O)/bench/%,$(wildcard bench/*.c))

$(BENCH): $(O)/bench/%: $(O)/bench/%.o
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

# the flood of tests/long/flood.t
check-long: $(BENCH)

bench: all $(TRAFFIC) $(BENCH)
	@O='$(abspath $(O))' bench/run
