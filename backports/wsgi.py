from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from backports.runtime.startup import refuse_powerful_role

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backports.settings")
application = get_wsgi_application()
refuse_powerful_role()
