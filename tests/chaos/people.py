"""Operators of a campaign: they look for orders that wait for a person because the bank refuses a refund, pay
the buyer back by hand, in whole or in part, and say so. What they decided must stand (law 9): the bank is
never asked to pay that money once more."""

import contextlib
import dataclasses
import json
import random
import subprocess

import world  # noqa: F401  (sets the path)

LOOK_EVERY_S = 2
DECISIONS_A_LOOK = 3
REFUND_ACTION, REFUSED = "payment.refund", "REFUND_REFUSED"


@dataclasses.dataclass
class Decision:
    verb: str
    by_hand: int  # minor units that the buyer got outside of the bank


class People:
    def __init__(self, hosts, seed):
        self._hosts, self._pick = hosts, random.Random(seed)
        self.decisions = {}

    def run(self, over):
        while not over.wait(LOOK_EVERY_S):
            with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired, json.JSONDecodeError):
                self._look()

    def _look(self):
        host = self._pick.choice(self._hosts)
        waiting = json.loads(host.orderctl("-o", "json", "sagas", "list", "--state", "STUCK"))
        # Only what the bank refused: of what nobody knows, it may have paid back already. And once an order:
        # whether a verb was taken whose answer is lost, only the order's books know.
        undecided = [row for row in waiting if row["action"] == REFUND_ACTION
                     and REFUSED in str(row["stuck"]) and row["orderId"] not in self.decisions]
        for row in undecided[:DECISIONS_A_LOOK]:
            self._decide(host, row["orderId"], int(row["moneyAtRisk"]))

    def _decide(self, host, order, owed):
        verb = self._pick.choice(("skip", "mark-done", "part", "retry"))
        amount = {"part": max(1, owed // 3), "retry": 0}.get(verb, owed)
        words = {"skip": ["skip"], "retry": ["retry"]}.get(
            verb, ["mark-done", "--reference", "cash", "--amount", str(amount)])
        # Before the answer: it may be lost after the verb was taken.
        self.decisions[order] = Decision(verb, amount)
        try:
            host.orderctl("sagas", words[0], order, *words[1:], "--reason", "the buyer got it in cash")
        except RuntimeError as refused:
            if "orderctl:" not in str(refused):
                raise
            self.decisions[order].verb = "unclear"


def complaints(decisions, book):
    """Where the bank paid back what a person had paid already. A capture that the bank takes back after that
    is the person's loss, and not a second payment."""
    wrong = []
    for order, decision in decisions.items():
        refunded, captured = book.sums(order)["refund"], book.ever_captured(order)
        if decision.verb != "unclear" and refunded + decision.by_hand > captured:
            wrong.append(f"law 9: {order}: the bank refunded {refunded} of {captured}, "
                         f"and a person {decision.by_hand} by hand")
    return wrong
