// SPDX-License-Identifier: GPL-2.0-or-later
#include "export.h"

static const struct masq_check_place *export_place(struct exported *e, const struct check_place *p)
{
	struct masq_check_place *out = &e->places[e->place_count];

	if (p->kind == MASQ_PLACE_NONE)
		return NULL;
	e->place_count++;
	*out = (struct masq_check_place){.size = sizeof(*out),
					 .kind = p->kind,
					 .hook = p->hook,
					 .priority = p->priority,
					 .family = p->family,
					 .table = p->table,
					 .chain = p->chain,
					 .base = p->base,
					 .handle = p->handle,
					 .number = p->number,
					 .iptables = p->iptables,
					 .owned = p->owned,
					 .text = p->text};
	return out;
}

static void export_flight(struct exported *e, struct masq_check_flight *out,
			  const struct check_flight *x)
{
	*out = (struct masq_check_flight){.size = sizeof(*out),
					  .sent = x->sent,
					  .seen = x->seen,
					  .done = x->done,
					  .local = x->local,
					  .own = x->own,
					  .hook = x->hook,
					  .priority = x->priority,
					  .saddr = x->saddr,
					  .daddr = x->daddr,
					  .sport = x->sport,
					  .dport = x->dport,
					  .past_nat = x->past_nat,
					  .nat_daddr = x->nat_daddr,
					  .nat_dport = x->nat_dport,
					  .iif = x->iif,
					  .oif = x->oif,
					  .untracked = x->untracked,
					  .invalid = x->invalid,
					  .established = x->established,
					  .mark = x->mark,
					  .drop = export_place(e, &x->drop),
					  .early = export_place(e, &x->early),
					  .nat = export_place(e, &x->nat),
					  .snat = export_place(e, &x->snat),
					  .reason = x->reason};
}

const struct masq_check_observed *export_observed(struct exported *e,
						  const struct check_observed *o)
{
	e->place_count = 0;
	export_flight(e, &e->out, &o->out);
	export_flight(e, &e->back, &o->back);
	export_flight(e, &e->icmp, &o->icmp);
	e->observed = (struct masq_check_observed){.size = sizeof(e->observed),
						   .forward = &o->forward.command,
						   .client = o->client,
						   .dest = o->dest,
						   .dport = o->dport,
						   .outside = o->outside,
						   .inside = o->inside,
						   .inside_address = o->inside_address,
						   .inside_prefix = o->inside_prefix,
						   .gateway = o->gateway,
						   .outside_gateway = o->outside_gateway,
						   .local = o->local,
						   .target_here = o->target_here,
						   .target_listens = o->target_listens,
						   .route_localnet = o->route_localnet,
						   .emptied = o->emptied,
						   .dormant = o->dormant,
						   .shadowed = o->shadow != SHADOW_NONE,
						   .ip_forward = o->ip_forward,
						   .outside_forward = o->outside_forward,
						   .inside_forward = o->inside_forward,
						   .accept_ra = o->accept_ra,
						   .rp_outside = o->rp_outside,
						   .rp_inside = o->rp_inside,
						   .conntrack_count = o->conntrack_count,
						   .conntrack_max = o->conntrack_max,
						   .client_error = o->client_error,
						   .target_error = o->target_error,
						   .back_error = o->back_error,
						   .back_oif = o->back_oif,
						   .marks_route = o->marks_route,
						   .driver_xdp = o->driver_xdp,
						   .listener = o->listener,
						   .stale = o->stale,
						   .stale_client = o->stale_client,
						   .stale_server = o->stale_server,
						   .stale_port = o->stale_port,
						   .running = o->running,
						   .unable = o->unable,
						   .out = &e->out,
						   .back = &e->back,
						   .icmp = &e->icmp,
						   .answer = o->answer,
						   .marked_for_mfw = o->shadow_mark,
						   .probed = o->probed,
						   .near_answer = o->near_answer,
						   .far_answer = o->far_answer,
						   .other_port = o->other_port,
						   .neighbour_failed = o->neighbour_failed,
						   .other_gateway = o->other_gateway,
						   .live = o->live,
						   .live_seconds = o->live_seconds,
						   .live_seen = o->live_seen,
						   .near = o->near,
						   .no_labels = o->no_labels,
						   .masqueraded = o->masqueraded,
						   .source_elsewhere = o->source_elsewhere,
						   .inside_off = o->inside_off,
						   .own_off = o->own_off,
						   .bar_chain = o->bar_chain,
						   .bar_handle = o->bar_handle};
	return &e->observed;
}
