"""What Archive has to tell as resources: schemas of operations, and what is set up in a
workspace."""

from __future__ import annotations

from server.resources.templates import Source, Template, Variable

# Each source says which variable of the address becomes which argument of the tool.
_HERE = {"workspace": "workspace"}
_VIEWS = {
    "content": "contentViews",
    "creator": "creatorViews",
    "social-profile": "socialProfileViews",
}
_VIEW = {"content": "contentView", "creator": "creatorView", "social-profile": "socialProfileView"}

_ALL_COLLECTIONS = Source({"": "collections"}, _HERE)
_ALL_VIEWS = Source(_VIEWS, _HERE, by="kind")

WORKSPACE = Variable(rows=Source({"": "workspaces"}))
# Most views are of content, and a client may complete the view before the kind.
KIND = Variable(values=tuple(_VIEWS), default="content")

VARIABLES = {
    "workspace": WORKSPACE,
    "collection": Variable(rows=_ALL_COLLECTIONS),
    "view": Variable(rows=Source({"": "contentViews"}, _HERE)),
    "campaign": Variable(rows=Source({"": "campaigns"}, _HERE)),
}
"""What arguments of prompts may be. An argument of such a name is known to the others while they
are completed."""

TEMPLATES = (
    Template(
        uri="archive://operation/{name}",
        name="archive_operation",
        title="Schema of an Archive operation",
        description=(
            "One operation of the Archive API (archive.com): the tool that serves it, its "
            "arguments in full, every "
            "field that it can return with type and unit, and what a write changes. `name`: an "
            "operation (items) or "
            "a tool."
        ),
        backend="archive",
        variables={"name": Variable()},
    ),
    Template(
        uri="archive://workspace/{workspace}/custom-attributes/{entity}",
        name="archive_custom_attributes",
        title="Custom attributes of a workspace",
        description=(
            "The custom attributes of creators or items in a workspace: key, type and the "
            "options of selects. "
            "`workspace`: name or id; `entity`: CREATOR or ITEM."
        ),
        backend="archive",
        variables={"workspace": WORKSPACE, "entity": Variable(values=("CREATOR", "ITEM"))},
        reads=Source({"": "customAttributeSchemas"}, {**_HERE, "entity": "entity"}),
    ),
    Template(
        uri="archive://workspace/{workspace}/collections",
        name="archive_collections",
        title="Collections of a workspace",
        description=(
            "All collections of a workspace with ids, up to 1,000. `workspace`: name or id."
        ),
        backend="archive",
        variables={"workspace": WORKSPACE},
        reads=_ALL_COLLECTIONS,
    ),
    Template(
        uri="archive://workspace/{workspace}/collections/{collection}",
        name="archive_collection",
        title="A collection",
        description=(
            "One collection: how many items it holds, and its group. Both variables: name or id."
        ),
        backend="archive",
        variables={
            "workspace": WORKSPACE,
            # Archive reads a collection by id only; people know its name.
            "collection": Variable(rows=_ALL_COLLECTIONS, as_id=True),
        },
        reads=Source({"": "collection"}, {**_HERE, "id": "collection"}),
    ),
    Template(
        uri="archive://workspace/{workspace}/views/{kind}",
        name="archive_views",
        title="Views of a workspace",
        description=(
            "All saved views of one kind in a workspace with ids, up to 1,000. `kind`: content, "
            "creator or "
            "social-profile; `workspace`: name or id."
        ),
        backend="archive",
        variables={"workspace": WORKSPACE, "kind": KIND},
        reads=_ALL_VIEWS,
    ),
    Template(
        uri="archive://workspace/{workspace}/views/{kind}/{view}",
        name="archive_view",
        title="A view",
        description=(
            "One saved view with its filters, conditions and sorting. `kind`: content, creator "
            "or social-profile; "
            "`workspace` and `view`: name or id."
        ),
        backend="archive",
        variables={
            "workspace": WORKSPACE,
            "kind": KIND,
            # As for collections: a name in the address, an id in the request.
            "view": Variable(rows=_ALL_VIEWS, as_id=True),
        },
        reads=Source(_VIEW, {**_HERE, "id": "view"}, by="kind"),
    ),
    Template(
        uri="archive://workspace/{workspace}/budget",
        name="archive_budget",
        title="Rate budget of a workspace",
        description=(
            "Plan, burst, refill and rate credits left of a workspace. `workspace`: name or id."
        ),
        backend="archive",
        variables={"workspace": WORKSPACE},
        reads=Source({"": "budget"}, _HERE),
    ),
)
