"""How ``dam-obs stats`` lays figures out."""
