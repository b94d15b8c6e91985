# SPDX-License-Identifier: BSD-2-Clause
"""Independent reader of XFS images, written from the format sheets; shares no code with the library it judges."""
