"""A registry with the methods that are observed."""


class Entity:
    def __init__(self, ecs_id, lineage_id, name):
        self.ecs_id = ecs_id
        self.lineage_id = lineage_id
        self.name = name


class EntityRegistry:
    kept = {}

    @classmethod
    def register_entity(cls, entity):
        cls.kept[entity.ecs_id] = dict(vars(entity))

    @classmethod
    def get_stored_entity(cls, root_ecs_id, ecs_id):
        return Entity(**cls.kept[ecs_id]) if ecs_id in cls.kept else None

    @classmethod
    def version_entity(cls, entity, force_versioning=False):
        if cls.kept[entity.ecs_id] == vars(entity) and not force_versioning:
            return False
        entity.ecs_id += "'"
        cls.register_entity(entity)
        return True
