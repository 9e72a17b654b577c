/*
 * The hand-off without a clock, for more processes: who gets the key next, does
 * everybody who waits get it in the end, does anything get stuck.
 *
 * TIME. There is none; a deadline is something that passes. valid[p] says that p holds
 * and that its own deadline has not passed; the store lets a lease of p run out only
 * after that (timed.pml shows that the protocol's arithmetic gives exactly this, and
 * nothing here depends on more). In the same way a grant or a YES that arrives is
 * accepted if its lease still runs, and refused if not; one that is refused although
 * it runs is the same as one that was lost.
 *
 * FAULTS. Each of these is a fault: a process dies; it freezes, for a while or for ever;
 * its subscription breaks for a while; a request is lost, or very late, or its reply is
 * lost; a waiter gives up; a deadline passes although its process is awake and waits or
 * holds (its timer or its renewal came too late). With -DF=k there are at most k, in any
 * mix, which is what "in the end" needs; without F any number, for safety. Lost grants
 * are no fault: any or all of them may be lost, always.
 * Without F, freezing for a while is not modelled: any step may be late anyway.
 *
 * LIMIT_x shows what the protocol does not promise, VARIANT_x another way to do it.
 *
 * FAIRNESS. Weak, between the processes: whoever can go on, goes on in the end.
 */
#ifndef N
#define N 3
#endif
#ifndef K
#define K 2
#endif
#define FULL  2
#define CLAIM 1

/* requests that can be late */
#define JOIN    1
#define RELEASE 2

#ifdef F
#define FAULT (faults < F)
#define SPEND faults++
byte faults = 0;
#else
#define FAULT true
#define SPEND skip
#endif

#ifdef BUG_NO_CLAIM_TTL
#define LEASE(d) eternal = ((d) == CLAIM)
bool eternal = false;
#else
#define LEASE(d) skip
#define eternal false
#endif

#ifdef LIMIT_DEAF
/* process 0 never gets a subscription */
#define DEAF(p) (p == 0 || deaf[p])
#else
#define DEAF(p) deaf[p]
#endif
#ifdef VARIANT_NO_CHECK_IF_DEAF
/* the store knows who has no subscription, and does not count who was reached */
#define REACHED(t) (st[PROC(t)] != GONE)
#else
#define REACHED(t) (st[PROC(t)] != GONE && !DEAF(PROC(t)))
#endif
#define POST(t) post(t)
#define STALE() skip

#define OVER(t) over(t)
#define MOVE(t, u) move(t, u)
#define ON_ITS_WAY_FOR(t) (msg[t] || straytok == t)

/* st[p] */
#define IDLE   0
#define WAIT   1        /* wants the lock; asks, and asks again by its timer */
#define ANSWER 2        /* the store has answered its join */
#define HOLD   3
#define LEAVE  4        /* releases */
#define GONE   5        /* dead */

#include "store.pml"

byte st[N];
byte ans[N];            /* the answer on its way */
bool valid[N];
byte frozen[N];         /* 1: for a while, 2: for ever */
bool deaf[N];           /* its subscription is broken */
bool msg[SLOTS];        /* a grant on its way */
byte straykind, straytok;       /* a late request that nobody waits for any more */

#ifdef BUG_NO_RECHECK
bool stands[N];         /* was told that it stands in the line, and asks no more */
#define ASKS(p) (!stands[p])
#else
#define ASKS(p) true
#endif

#define WAITS(t)  (t == CUR(PROC(t)) && (st[PROC(t)] == WAIT || st[PROC(t)] == ANSWER))
#define AWAKE(p)  (frozen[p] == 0)

#define STRAY(kind, t) straykind = kind; straytok = t

/* A grant whose lease is over, or that nobody waits for, has no effect when it arrives:
   it is taken away at once. With VARIANT_PASS_ON its process passes it on. */
#ifdef VARIANT_PASS_ON
#define KEEP_LATE true
#else
#define KEEP_LATE false
#endif

inline post(t)
{
	if
	:: (KEEP_LATE || WAITS(t)) && !DEAF(PROC(t)) -> msg[t] = true
	:: else
	fi
}

inline over(t)
{
	if
	:: t != NONE && !KEEP_LATE -> msg[t] = false
	:: else
	fi
}

inline move(t, u)
{
	msg[u] = msg[t]; msg[t] = false;
	if
	:: straytok == t -> straytok = u
	:: else
	fi
}

inline go_idle(p)
{
	st[p] = IDLE;
	retire(p)
}

inline stops_waiting(p)
{
	if
	:: !KEEP_LATE -> msg[CUR(p)] = false
	:: else
	fi;
	ans[p] = NOTHING
#ifdef BUG_NO_RECHECK
	; stands[p] = false
#endif
}

SCRATCH byte i;

inline begin(p)
{
	st[p] = HOLD;
	stops_waiting(p);
	valid[p] = true;
	for (i : 0 .. N - 1) {
		assert(i == p || !valid[i])     /* MUTUAL EXCLUSION */
	}
	i = 0;
	assert(!seen);                          /* FENCES GROW */
	seen = true
}

proctype Client(byte p)
{
	do

	/* acquire; or end, for good */
	:: d_step { st[p] == IDLE && AWAKE(p) && CAN_ACQUIRE(p) ->
		retire(p);
		st[p] = WAIT }
	:: d_step { st[p] == IDLE && AWAKE(p) -> st[p] = GONE; deaf[p] = false }; break

	/* join: the first, and by the timer */
	:: d_step { st[p] == WAIT && AWAKE(p) && ASKS(p) ->
		join(CUR(p));
		ans[p] = res;
		st[p] = ANSWER }
	:: d_step { st[p] == WAIT && AWAKE(p) && ASKS(p) && FAULT && straykind == 0 ->
		SPEND;
		STRAY(JOIN, CUR(p)) }
	:: d_step { st[p] == ANSWER && AWAKE(p) ->
		if
		:: ans[p] == YES && owner == CUR(p) -> begin(p)
		:: ans[p] == YES && owner != CUR(p) -> st[p] = WAIT
		:: ans[p] == HELD -> st[p] = WAIT
#ifdef BUG_NO_RECHECK
			; stands[p] = true
#endif
		fi;
		ans[p] = NOTHING }
	:: d_step { st[p] == ANSWER && AWAKE(p) && FAULT ->
		SPEND;
		st[p] = WAIT;
		ans[p] = NOTHING }

	/* a grant arrives; or is lost */
	:: d_step { st[p] == WAIT && AWAKE(p) && msg[CUR(p)] ->
		msg[CUR(p)] = false;
		if
		:: owner == CUR(p) -> begin(p)
		:: else                         /* too old: it asks */
#ifdef BUG_NO_RECHECK
			-> stands[p] = false
#endif
		fi }
	:: d_step { st[p] != IDLE && msg[CUR(p)] -> msg[CUR(p)] = false }
#ifdef VARIANT_PASS_ON
	:: d_step { msg[CUR(p)] && st[p] != WAIT && st[p] != ANSWER -> msg[CUR(p)] = false }
	:: d_step { msg[OLD(p)] -> msg[OLD(p)] = false }
	:: d_step { msg[CUR(p)] && AWAKE(p) && st[p] == IDLE && straykind == 0 ->
		msg[CUR(p)] = false; STRAY(RELEASE, CUR(p)) }
	:: d_step { msg[OLD(p)] && AWAKE(p) && straykind == 0 ->
		msg[OLD(p)] = false; STRAY(RELEASE, OLD(p)) }
#endif

	/* gives up */
	:: d_step { (st[p] == WAIT || st[p] == ANSWER) && AWAKE(p) && FAULT ->
		SPEND;
		stops_waiting(p);
#ifdef SLOW_LEAVE_DROPS
		drop_place(CUR(p));
		go_idle(p)
#else
		st[p] = LEAVE
#endif
		}

	/* unlocks; or is told of a loss, and then unlocks */
	:: d_step { st[p] == HOLD && AWAKE(p) -> valid[p] = false; st[p] = LEAVE }

	/* release: answered; lost or its reply lost, and repeated; given up; late */
	:: d_step { st[p] == LEAVE && AWAKE(p) -> release(CUR(p)); go_idle(p) }
	:: d_step { st[p] == LEAVE && AWAKE(p) && FAULT -> SPEND; release(CUR(p)) }
	:: d_step { st[p] == LEAVE && AWAKE(p) && FAULT -> SPEND; go_idle(p) }
	:: d_step { st[p] == LEAVE && AWAKE(p) && FAULT && straykind == 0 ->
		SPEND;
		STRAY(RELEASE, CUR(p));
		go_idle(p) }

#ifdef F
	/* freezes, wakes or does not */
	:: d_step { AWAKE(p) && FAULT -> SPEND; frozen[p] = 1 }
	:: d_step { frozen[p] == 1 -> frozen[p] = 0 }
	:: d_step { frozen[p] == 1 -> frozen[p] = 2 }; break
#endif

	/* dies */
	:: d_step { AWAKE(p) && FAULT ->
		SPEND;
		st[p] = GONE;
		stops_waiting(p);
		valid[p] = false; deaf[p] = false }; break

	od;
end:	false           /* dead, or frozen for ever */
}

/* The owner's process is awake and waits: it will ask in time, before its claim runs out.
   (One that holds is in time as long as valid says so. One that is releasing need not be,
   and that is no fault: the lease may run out before the release arrives, every time.) */
#define IN_TIME(t) (AWAKE(PROC(t)) && WAITS(t))

#ifdef LIMIT_LATE_TIMER
/* the timer is slower than the claim: a claim may run out every time before its waiter
   asks; one that has asked and was told YES is in time */
#define LATE_TIMER (ans[PROC(owner)] != YES || FAULT)
#define SPEND_LATE skip
#else
#define LATE_TIMER FAULT
#define SPEND_LATE SPEND
#endif

proctype Store()
{
end:	do
	/* the key's deadline passes */
	:: d_step { owner != NONE && !eternal &&
	     !(owner == CUR(PROC(owner)) && valid[PROC(owner)]) && !IN_TIME(owner) ->
		free_key() }
	:: d_step { owner != NONE && !eternal && IN_TIME(owner) && LATE_TIMER ->
		SPEND_LATE;
		free_key() }

	/* late requests arrive */
	:: d_step { straykind == JOIN -> join(straytok); STRAY(0, NONE) }
	:: d_step { straykind == RELEASE -> release(straytok); STRAY(0, NONE) }
	od
}
/* What happens to a process without its doing: its local deadline passes, its
   subscription breaks and comes back. */
proctype Around(byte p)
{
end:	do
	:: d_step { valid[p] && !AWAKE(p) -> valid[p] = false }
	:: d_step { valid[p] && AWAKE(p) && FAULT -> SPEND; valid[p] = false }
	:: d_step { st[p] != GONE && !deaf[p] && FAULT ->
		SPEND;
		deaf[p] = true;
		msg[CUR(p)] = false; msg[OLD(p)] = false }
	:: d_step { deaf[p] -> deaf[p] = false }
	od
}

init {
	atomic {
		byte p;
		for (p : 0 .. N - 1) { run Client(p); run Around(p) }
		p = 0;
		run Store()
	}
}

#ifdef LIVENESS
/* The processes are alike: what holds for process 0 holds for all. */
#define waits  ((st[0] == WAIT || st[0] == ANSWER) && frozen[0] != 2)
/* The owner is a token of process 0 that it neither waits nor holds with. */
#define orphan (owner != NONE && PROC(owner) == 0 && (owner != CUR(0) || st[0] == IDLE || st[0] == GONE))
ltl served { [] (waits -> <> !waits) }
/* It is served, or the key is free at some time, so that it could have been. */
ltl chance { [] (waits -> <> (!waits || owner == NONE)) }
/* It is served, or somebody is. */
ltl work   { [] (waits -> <> (!waits || valid[0] || valid[1])) }
ltl freed  { [] (orphan -> <> !orphan) }
#endif
