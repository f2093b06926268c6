"""Leases that let somebody do something."""


class DelegationManager:
    def __init__(self):
        self.leases = set()

    def check(self, grantee, capability):
        return (grantee, capability) in self.leases
