/*
 * The hand-off with a clock: is what a process believes about its lease ever longer
 * than what the store believes?  Safety only.
 *
 * TIME. One step of the clock (tick) moves everything that runs: the key's deadline,
 * every local deadline, the age of every request and of every grant on its way. Nothing
 * has to happen before the next tick. So any process may be arbitrarily slow or frozen,
 * any request, reply or grant arbitrarily late, at any time and any number of times,
 * without a fault having to be modelled for it. Time has no end: the model keeps
 * distances ("how long ago", "how long still"), never dates, and a distance stops
 * growing where it makes no difference any more.
 *
 * THE GRANT'S ARITHMETIC. A grant carries the server's time G. The last answered join
 * was sent at local time s and answered with the server's time T. The waiter counts
 * its claim from s + (G - T), so what is left of it now is
 *     s + (G - T) + CLAIM - MARGIN - now  =  CLAIM - MARGIN - (T - s) - (now - G)
 *                                         =  CLAIM - MARGIN - lag[p] - age of the grant
 * which are the two distances that are kept. (Server and process may disagree about
 * the date by any constant: it cancels out in G - T. BUG_SERVER_CLOCK is a process that
 * takes G for a date of its own.)
 *
 * The protocol also refuses a grant that is older than the last answer (G < T). Here that
 * needs no rule of its own: HELD after a grant means that its claim has run out, so
 * at least CLAIM has passed since G and nothing is left of it.
 *
 * MARGIN is 0: the arithmetic has to be exact, and with -1 it is wrong. The real margin
 * is for clocks that do not run at the same rate, which this model does not have.
 *
 * Flags: BUG_x is a fault that has to be found, SLOW_x one that only costs time, NO_STRAYS
 * leaves out late requests, ONLY_MUTEX checks mutual exclusion alone (a stale lease
 * also has a stale fence, which is seen first), BREADTH_FIRST goes with pan's -DBFS.
 */
#ifndef N
#define N 2
#endif
#ifndef K
#define K 2
#endif
#ifndef FULL
#define FULL 3
#endif
#ifndef CLAIM
#define CLAIM 2
#endif
#ifndef MARGIN
#define MARGIN 0
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

#define LEASE(d)   rem = d
#define REACHED(t) (phase[PROC(t)] != DEAD)
#define POST(t)    post(t)
#define OVER(t)    skip
#define MOVE(t, u) move(t, u)
#define ON_ITS_WAY_FOR(t) (msg[t] != 0 || straytok == t)
#define STALE()    no_copy_is_newest()

/* phase[p] */
#define IDLE  0
#define WAIT  1         /* wants the lock */
#define HOLD  2         /* believes that it has it, as long as left[p] > 0 */
#define LOST  3         /* was told that it lost it; has not unlocked yet */
#define LEAVE 4         /* releases */
#define DEAD  5

#include "store.pml"

/* op[p]: the request that p waits for, on its way or answered */
#define JOIN    1
#define RENEW   2
#define RELEASE 3
#define DROP    4       /* only with SLOW_LEAVE_DROPS */
#define REPLY   8       /* + what the store answered */

byte rem = 0;           /* what is left of the key's lease; 0: the key is free */

byte phase[N];
byte op[N];
byte since[N];          /* now - s of op[p], at most FULL */
byte dly[N];            /* T - s of an answer HELD on its way */
short lag[N];           /* T - s of the last answered join; CLAIM (refuses all): none yet */
byte left[N];           /* what is left of the lease as p believes */
bool opnew[N];          /* the answer on its way carries the newest fence */
bool newest[N];         /* p's lease carries the newest fence */
byte told[N];           /* how often p was told of the loss of this lease */

byte msg[SLOTS];        /* 0: no grant on its way; else 1 + its age, the age at most CLAIM */
bool msgnew[SLOTS];     /* it carries the newest fence */

byte straykind, straytok;       /* a request nobody waits for any more, still on its way */
byte crashes = 0;
#ifdef BUG_MIXED_ANSWER
byte ago[N];            /* now - T of the last answered join, at most CLAIM */
#endif

SCRATCH byte i;
SCRATCH short rest;

inline no_copy_is_newest()
{
	for (i : 0 .. N - 1) { opnew[i] = false; newest[i] = false }
	for (i : 1 .. NT) { msgnew[i] = false }
	i = 0
}

#define VALID(p) (phase[p] == HOLD && left[p] > 0)

/* Whose s still matters: that of a join or a renewal, on its way or granted. */
#ifdef BUG_MIXED_ANSWER
#define RUNS(o) (o != 0)
#else
#define RUNS(o) (o == JOIN || o == RENEW || o == REPLY + YES || o == REPLY + OK)
#endif

#define WAITS(t) (phase[PROC(t)] == WAIT && t == CUR(PROC(t)))

#ifdef BUG_PASS_ON_UNKNOWN
#define PASS_ON(t) (phase[PROC(t)] != DEAD && !WAITS(t))
#endif
#ifdef VARIANT_PASS_ON
#define PASS_ON(t) (phase[PROC(t)] != DEAD && (t != CUR(PROC(t)) || phase[PROC(t)] == IDLE))
#endif

/* A grant that is CLAIM old, or whose token does not wait any more, has no effect
   when it arrives. That is no different from a lost one, so it is taken away at once,
   which saves states; the flags under which it has an effect keep it. */
#if defined(BUG_LATE_START) || defined(BUG_SERVER_CLOCK) || defined(BUG_MIXED_ANSWER) || defined(PASS_ON)
#define KEEP_LATE true
#else
#define KEEP_LATE false
#endif

/* It may write over an older grant for t: that one's claim has run out (or t would have
   been the owner), and so it can only be refused. */
inline post(t)
{
	if
	:: KEEP_LATE || WAITS(t) -> msg[t] = 1; msgnew[t] = true
	:: else
	fi
}

inline tick()
{
	if
	:: rem > 0 ->
		rem--;
		if
		:: rem == 0 -> owner = NONE     /* the store tells nobody */
		:: else
		fi
	:: else
	fi;
	for (i : 0 .. N - 1) {
		if
		:: left[i] > 0 -> left[i]--
		:: else
		fi;
		if
		:: RUNS(op[i]) && since[i] < FULL -> since[i]++
		:: else
		fi
#ifdef BUG_MIXED_ANSWER
		;
		if
		:: ago[i] < CLAIM -> ago[i]++
		:: else
		fi
#endif
	}
	for (i : 1 .. NT) {
		if
		:: msg[i] > 0 && msg[i] <= CLAIM -> msg[i]++
		:: else
		fi;
		if
		:: msg[i] > CLAIM && !KEEP_LATE -> msg[i] = 0; msgnew[i] = false
		:: else
		fi
	}
	i = 0
}

inline send(p, kind)
{
	op[p] = kind;
	since[p] = 0
}

/* Nobody listens to the answer to p's request any more. */
inline forget_op(p)
{
	op[p] = 0;
	since[p] = 0;
	dly[p] = 0;
	opnew[p] = false
}

/* p stops waiting for an answer: a request still on its way stays on its way, if there is ROOM
   for it (one at a time), or is lost, which is one that never arrives. */
#define ON_ITS_WAY(p) (op[p] > 0 && op[p] < REPLY)

#ifdef NO_STRAYS
#define ROOM false
#else
#define ROOM (straykind == 0)
#endif

inline set_loose(p)
{
	if
	:: ON_ITS_WAY(p) && ROOM -> straykind = op[p]; straytok = CUR(p)
	:: else
	fi;
	forget_op(p)
}

inline apply(kind, t)
{
	if
	:: kind == JOIN    -> join(t)
	:: kind == RENEW   -> renew(t)
	:: kind == RELEASE -> release(t)
	:: kind == DROP    -> drop_place(t)
	fi
}

inline stops_waiting(p)
{
	lag[p] = 0;
#ifdef BUG_MIXED_ANSWER
	ago[p] = 0;
#endif
	if
	:: !KEEP_LATE -> msg[CUR(p)] = 0; msgnew[CUR(p)] = false
	:: else
	fi
}

inline miss(t)
{
#ifdef PASS_ON
	if
	:: PASS_ON(t) && straykind == 0 -> straykind = RELEASE; straytok = t
	:: else
	fi;
#endif
	msg[t] = 0;
	msgnew[t] = false
}

/* The lease begins; what is left of it is `rest`. */
inline begin(p, isnewest)
{
	phase[p] = HOLD;
	left[p] = rest;
	newest[p] = isnewest;
	stops_waiting(p);
	for (i : 0 .. N - 1) {
		assert(i == p || !VALID(i))     /* MUTUAL EXCLUSION */
	}
	i = 0;
#ifndef ONLY_MUTEX
	assert(newest[p] && !seen);             /* FENCES GROW */
#endif
	seen = true
}

inline end_lease(p)
{
	left[p] = 0;
	newest[p] = false
}

inline tell(p)
{
	end_lease(p);
	told[p]++;
	assert(told[p] == 1);                   /* TOLD ONCE */
	phase[p] = LOST
}

inline go_idle(p)
{
	phase[p] = IDLE;
	told[p] = 0;
	retire(p)
}

inline move(t, u)
{
	msg[u] = msg[t]; msg[t] = 0;
	msgnew[u] = msgnew[t]; msgnew[t] = false;
	if
	:: straytok == t -> straytok = u
	:: else
	fi
}

/* The distance that a grant leaves. */
#ifdef BUG_LATE_START
#define GRANT_LEFT(p) (CLAIM - MARGIN)
#else
#ifdef BUG_SERVER_CLOCK
#define GRANT_LEFT(p) (CLAIM - MARGIN - (msg[CUR(p)] - 1) + 1) /* the server's date is one ahead */
#else
#ifdef BUG_MIXED_ANSWER
/* s of the join sent last, T of the one answered last */
#define GRANT_LEFT(p) (CLAIM - MARGIN - (lag[p] < CLAIM && op[p] != 0 -> since[p] - ago[p] : lag[p]) - (msg[CUR(p)] - 1))
#else
#define GRANT_LEFT(p) (CLAIM - MARGIN - lag[p] - (msg[CUR(p)] - 1))
#endif
#endif
#endif

#ifdef BUG_FROM_REPLY
#define FULL_LEFT(p) (FULL - MARGIN)
#else
#define FULL_LEFT(p) (FULL - MARGIN - since[p])
#endif

proctype Client(byte p)
{
	byte k;
end:	do

	/* acquire: a token without a trace, and the first join */
	:: d_step { phase[p] == IDLE && CAN_ACQUIRE(p) ->
		retire(p);
		phase[p] = WAIT;
		lag[p] = CLAIM;
		send(p, JOIN) }

	/* the timer: ask again */
	:: d_step { phase[p] == WAIT && op[p] == 0 -> send(p, JOIN) }

	/* the request arrives and is applied */
	:: d_step { ON_ITS_WAY(p) ->
		k = op[p];
		apply(k, CUR(p));
		if
		:: k == JOIN && res == HELD -> dly[p] = (since[p] < CLAIM -> since[p] : CLAIM)
		:: else
		fi;
		/* the answer YES carries the owner's fence */
		opnew[p] = (res == YES);
		op[p] = REPLY + res;
		k = 0;
		if
		:: phase[p] == LEAVE -> forget_op(p)
#ifndef BUG_MIXED_ANSWER
		:: phase[p] != LEAVE && (res == HELD || res == NOTOWNER) -> since[p] = 0
#endif
		:: else
		fi }

	/* no answer in time: the request or the reply is lost, or late */
	:: d_step { op[p] != 0 -> forget_op(p) }
	:: d_step { ON_ITS_WAY(p) && ROOM -> set_loose(p) }

	/* answers to join */
	:: d_step { phase[p] == WAIT && op[p] == REPLY + HELD ->
		lag[p] = dly[p];
#ifdef BUG_MIXED_ANSWER
		ago[p] = (since[p] - dly[p] > 0 -> since[p] - dly[p] : 0);
#endif
		forget_op(p) }
	:: d_step { phase[p] == WAIT && op[p] == REPLY + YES ->
		rest = FULL_LEFT(p);
		k = opnew[p];
		forget_op(p);
		if
		:: rest > 0 -> begin(p, k)
		:: else                 /* it came too late: ask again */
		fi;
		k = 0; rest = 0 }

	/* a grant arrives */
	:: d_step { phase[p] == WAIT && msg[CUR(p)] != 0 ->
		rest = GRANT_LEFT(p);
		k = msgnew[CUR(p)];
		msg[CUR(p)] = 0; msgnew[CUR(p)] = false;
		if
		:: rest > 0 ->
			/* a join on its way is not waited for */
			set_loose(p);
			begin(p, k)
		:: else                 /* too old, or no answer yet: ask (by the timer) */
		fi;
		k = 0; rest = 0 }

	/* a grant is lost, or arrives where its token does not wait: nothing happens */
	:: d_step { msg[CUR(p)] != 0 -> miss(CUR(p)) }
	:: d_step { msg[OLD(p)] != 0 -> miss(OLD(p)) }

	/* it gives up waiting; before or after the answer to its join */
	:: d_step { phase[p] == WAIT ->
		set_loose(p);
		stops_waiting(p);
		phase[p] = LEAVE;
#ifdef SLOW_LEAVE_DROPS
		send(p, DROP)
#else
		send(p, RELEASE)
#endif
		}

	/* it holds: renews; it is over when the deadline passes, or the store says so */
	:: d_step { VALID(p) && op[p] == 0 -> send(p, RENEW) }
	:: d_step { VALID(p) && op[p] == REPLY + OK ->
		rest = FULL_LEFT(p);
		if
		:: rest > left[p] -> left[p] = rest
		:: else
		fi;
		rest = 0;
		forget_op(p);
		for (i : 0 .. N - 1) {
			assert(i == p || !VALID(i))     /* MUTUAL EXCLUSION */
		}
		i = 0 }
	:: d_step { VALID(p) && op[p] == REPLY + NOTOWNER -> forget_op(p); tell(p) }
	:: d_step { phase[p] == HOLD && left[p] == 0 -> tell(p) }

	/* an answer to a renewal that comes after the loss */
	:: d_step { phase[p] == LOST && op[p] > REPLY ->
#ifdef BUG_TOLD_TWICE
		if
		:: op[p] == REPLY + NOTOWNER -> tell(p)
		:: else
		fi;
#endif
		forget_op(p) }

	/* unlock */
	:: d_step { VALID(p) || phase[p] == LOST ->
		end_lease(p);
		set_loose(p);
		phase[p] = LEAVE;
		send(p, RELEASE) }
	/* no answer: it repeats; or an answer, or it gives that up too */
	:: d_step { phase[p] == LEAVE && op[p] == 0 -> send(p, RELEASE) }
	:: d_step { phase[p] == LEAVE && op[p] == 0 -> go_idle(p) }

	/* it dies */
	:: d_step { phase[p] != DEAD && crashes < CRASHES ->
		crashes++;
		end_lease(p);
		set_loose(p);
		stops_waiting(p);
		go_idle(p);
		phase[p] = DEAD }
	od
}

/* The clock, and what is on its way with nobody waiting for the answer. */
proctype World()
{
end:	do
	:: d_step { tick() }

	:: d_step { straykind != 0 ->
		apply(straykind, straytok);
		straykind = 0; straytok = 0 }
	:: d_step { straykind != 0 -> straykind = 0; straytok = 0 }
	od
}

init {
	atomic {
		byte p;
		for (p : 0 .. N - 1) { run Client(p) }
		p = 0;
		run World()
	}
}
