"""Settings: dataclasses in which a setting, its type, default, choices, bounds, unit and help stand, and
nowhere else; flags, help and reference come from them.
"""
