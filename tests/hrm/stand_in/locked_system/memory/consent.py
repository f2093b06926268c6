"""What the user lets be kept."""


class ConsentManager:
    def __init__(self, granted):
        self.granted = granted

    def can_persist(self, category):
        return category in self.granted
