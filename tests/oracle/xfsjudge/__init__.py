# SPDX-License-Identifier: BSD-2-Clause
"""The judge: rules over what xfsread decodes."""
